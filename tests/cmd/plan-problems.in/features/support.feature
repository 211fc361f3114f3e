Feature: What support asks for

  Scenario: <team> retrieves everything of <instance>
    Given each instance
    Whne the team connects
    Then the verson can be retrieved
