"""The files that mails are made from: looked at, changed, given back."""
