Feature: It is quick enough for an open support case

  Support waits while evidence is fetched. What takes half an hour in a rehearsal takes longer when the host is in
  trouble.

  @time
  Scenario: Everything of <instance> reaches <team> in time
    Given each instance
    And each team responsible for it
    When the team connects
    Then the version can be retrieved
    And the configuration can be retrieved
    And the event log can be retrieved
    And the statistics database can be retrieved
    And the event log was retrieved within 3 minutes
    And every artifact was retrieved within 5 minutes
