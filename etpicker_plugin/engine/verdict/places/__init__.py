"""What is judged: the places picked, beside random ones, and their boxes."""
