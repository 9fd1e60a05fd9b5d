"""The bugs of every repository: one module each, with its instances in `BUGS`."""
