"""The read side: what is proved, watched and reported across all slices. It changes nothing that others own."""
