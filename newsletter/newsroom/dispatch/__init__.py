"""Mail out: who gets it, the freeze, the send, what happened, and putting wrong things right."""
