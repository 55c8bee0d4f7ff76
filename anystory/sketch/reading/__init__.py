"""What a parsed line means for the picture: where it is, at what moment, who does what, and what lies about."""
