-- The Fibonacci number of the argument, by its definition, and how long that took.
local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end

local n, times = tonumber(arg[1] or 25), tonumber(arg[2] or 1)
for _ = 1, times do
  local begin = os.clock()
  local result = fib(n)
  io.stderr:write(string.format("%.3f s\n", os.clock() - begin))
  print(string.format("fib(%d) = %d", n, result))
end
