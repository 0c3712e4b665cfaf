"""The programs elsewhere that this desk tells what happens."""
