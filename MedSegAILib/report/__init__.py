"""Results for people: pictures, tables, the output folder. Ring 5 (report)."""
