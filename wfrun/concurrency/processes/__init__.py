"""Work in other processes behind a channel: workers that share items, and a channel into or out of one child."""
