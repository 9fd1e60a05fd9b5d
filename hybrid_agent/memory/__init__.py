"""What worked before: notes and skills, kept in one SQLite file, found by meaning, used only once they are trusted."""
