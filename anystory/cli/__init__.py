"""The commands of `python -m anystory`: `arguments` has what each of them takes, `report` how they tell, the other
files what they do."""
