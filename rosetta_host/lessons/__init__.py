"""The lessons' mistakes, declared and measured."""
