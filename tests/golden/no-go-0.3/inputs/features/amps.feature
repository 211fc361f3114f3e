Feature: AMPS support artifacts

  60East's support asks for four things as soon as an AMPS instance misbehaves: its version, its
  configuration, its event log and its statistics. Before go-live, each team responsible for an
  instance proves that it can fetch all four from the production server itself, with its own login,
  and that what came is whole, current and of the right instance.

  Retrieved means: every byte came, from a regular file, within cap and deadline, and its SHA-256 is
  on record. A listing, an exit status or an empty file proves nothing.

  Rule: each team responsible for an instance can fetch every artifact of it

    @artifact:version
    Scenario: The version of <instance> is known to <team>
      Given each "amps" instance
      And each team responsible for it
      When the team connects
      Then the version can be retrieved
      And the version is the expected one

    @artifact:configuration
    Scenario: The configuration of <instance> is within reach of <team>
      Given each "amps" instance
      And each team responsible for it
      When the team connects
      Then the configuration can be retrieved
      And the configuration is well-formed
      And the configuration belongs to this instance

    @artifact:log
    Scenario: The event log of <instance> is within reach of <team>
      Given each "amps" instance
      And each team responsible for it
      When the team connects
      Then the event log can be retrieved
      And the event log has an entry from the last 1 hour
      And the event log covers the last 24 hours

    @artifact:statistics
    Scenario: The statistics of <instance> are within reach of <team>
      Given each "amps" instance
      And each team responsible for it
      When the team connects
      Then the statistics database can be retrieved
      And the statistics database is consistent
      And the statistics database has a sample from the last 5 minutes

  Rule: it is quick enough for an open support case

    @artifact:version @artifact:configuration @artifact:log @artifact:statistics
    Scenario: Everything of <instance> reaches <team> in time
      Given each "amps" instance
      And each team responsible for it
      When the team connects
      Then the version can be retrieved
      And the configuration can be retrieved
      And the event log can be retrieved
      And the statistics database can be retrieved
      And every artifact was retrieved within 5 minutes
