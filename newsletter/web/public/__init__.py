"""The pages for readers and machines: no login, no JavaScript, small. One file per action."""
