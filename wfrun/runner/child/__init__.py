"""Child processes: how they are started, spoken to, listened to and ended; and what runs inside them."""
