"""What is otherwise in a new version of a journey: in words, and for the people who are inside an old one."""
