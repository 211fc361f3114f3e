Feature: What support asks for

  Scenario: <team> retrieves everything of <instance>
    Given each instance
    And each team responsible for it
    When the team connects
    Then the version can be retrieved
    And the configuration can be retrieved
    And the event log can be retrieved
    And the statistics database can be retrieved
