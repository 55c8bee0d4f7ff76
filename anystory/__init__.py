"""AnyStory: characters you upload, a script you write, story frames in which each character stays itself."""
