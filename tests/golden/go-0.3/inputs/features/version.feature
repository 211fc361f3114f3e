Feature: One release, and it is known

  Support's first question is which release runs. The program on the disk, the process that runs and the log
  that it wrote when it started may each tell another: after an installation without a restart, or a restart
  without an installation.

  Rule: the version of each instance is known, and it is the planned one

    @artifact:version
    Scenario: The release of <instance> is the one that <team> expects
      Given each instance
      And each team responsible for it
      When the team connects
      Then the version can be retrieved
      And the version is the expected one

  # With a second source in the inventory (`running version: {kind: version, …}`, or `match:` at the log):
  #
  # Rule: what is installed is what runs
  #
  #   @artifact:version
  #   Scenario: What is installed, what runs and what <instance> logged are one release
  #     Given each instance
  #     When the team connects
  #     Then the installed, running and logged version are the same
