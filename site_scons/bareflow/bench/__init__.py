"""What the `bench` targets measure."""
