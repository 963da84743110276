"""One execution: phases, attempts, process groups, pipes, reports, masks, and the launcher that forks runners."""
