"""What the `bench` targets measure. A bench is a list of cases; a case says what to boot or run, how often,
and what to print of it."""
