-- The most frequent last letters of the numbers' names.
CREATE TEMP TABLE digits(n INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO digits VALUES
  (0, 'zero'), (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four'), (5, 'five'), (6, 'six'),
  (7, 'seven'), (8, 'eight'), (9, 'nine');
CREATE TABLE IF NOT EXISTS numbers(n INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT OR REPLACE INTO numbers
  SELECT 100 * a.n + 10 * b.n + c.n, a.name || ' ' || b.name || ' ' || c.name
  FROM digits a, digits b, digits c;
SELECT substr(name, -1) AS letter, count(*) FROM numbers GROUP BY letter ORDER BY 2 DESC, 1;
PRAGMA integrity_check;
