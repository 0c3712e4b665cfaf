"""The screens of the desk's own people; every one needs a login. One file per action."""
