-- How many ways there are to put n queens on a board of n x n squares so that none attacks another; the
-- first of them goes to a file of the disk.
local n, path = tonumber(arg[1] or 8), arg[2] or "/QUEENS.TXT"
local columns, rising, falling, rows = {}, {}, {}, {}
local count = 0

local function show()
  local lines = {}
  for row = 1, n do
    lines[row] = string.rep(".", rows[row] - 1) .. "Q" .. string.rep(".", n - rows[row])
  end
  return table.concat(lines, "\n") .. "\n"
end

local function place(row)
  if row > n then
    count = count + 1
    if count == 1 then
      local file <close> = assert(io.open(path, "w"))
      file:write(show())
    end
    return
  end
  for column = 1, n do
    local up, down = row + column, row - column
    if not (columns[column] or rising[up] or falling[down]) then
      columns[column], rising[up], falling[down], rows[row] = true, true, true, column
      place(row + 1)
      columns[column], rising[up], falling[down] = nil, nil, nil
    end
  end
end

place(1)
print(string.format("%d queens: %d ways", n, count))
