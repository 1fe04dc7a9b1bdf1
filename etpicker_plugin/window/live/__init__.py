"""What the live picker is asked, what it answers, and what of that is shown. No Qt."""
