int sum(int count, ...);
