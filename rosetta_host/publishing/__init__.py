"""What the site offers to take away: standalone scripts, notebooks, instructions."""
