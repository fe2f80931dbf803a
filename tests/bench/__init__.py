"""What Headroom does in a second, measured as ratios in one run: `make bench`."""
