"""Behind the one door: what ./x does. One file per command, named after it; the others hold what commands share."""
