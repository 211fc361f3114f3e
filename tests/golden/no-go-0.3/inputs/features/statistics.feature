Feature: Statistics that support can rely on

  A copy of a live database is easily torn, stale, or of another instance: it comes back all the same.
  Before go-live, each team responsible for an instance proves that its copy is whole, that it holds
  what support will look for, and that samples have come without a gap and still come.

  Rule: the copy is whole, and holds what it must

    @artifact:statistics
    Scenario: The statistics of <instance> reach <team> in one piece
      Given each instance
      And each team responsible for it
      When the team connects
      Then the statistics database can be retrieved
      And the statistics database is consistent
      And the statistics database has the expected tables and columns

  Rule: its samples are those of this instance, now

    @artifact:statistics
    Scenario: The samples of <instance> have come without a gap, as <team> sees them
      Given each instance
      And each team responsible for it
      When the team connects
      Then the statistics database has a sample from the last 5 minutes
      And the statistics database has a sample at least every 2 minutes in the last 30 minutes
      And the statistics database has no sample from the future
