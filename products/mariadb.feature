Feature: Support artifacts of mariadb

  Scenario: version of <instance> for <team>
    Given each "mariadb" instance
    And each team responsible for it
    When the team connects
    Then the version can be retrieved
    And the version is the expected one

  Scenario: configuration of <instance> for <team>
    Given each "mariadb" instance
    And each team responsible for it
    When the team connects
    Then the configuration can be retrieved

  Scenario: event log of <instance> for <team>
    Given each "mariadb" instance
    And each team responsible for it
    When the team connects
    Then the event log can be retrieved

  Scenario: statistics of <instance> for <team>
    Given each "mariadb" instance
    And each team responsible for it
    When the team connects
    Then artifact "statistics" can be retrieved
