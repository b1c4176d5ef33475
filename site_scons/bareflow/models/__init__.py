"""Models: by name from models.toml, downloaded, or made up for tests."""
