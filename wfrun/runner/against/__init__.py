"""Two trees side by side: the same measured cases over each one's own code, in pairs of fresh processes."""
