// A test that waits for something that never comes fails by itself.
[assembly: Timeout(120_000)]
