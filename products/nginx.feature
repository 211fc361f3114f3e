Feature: Support artifacts of nginx

  The account is in group adm, for the logs; `stub_status` is asked from the host itself.

  @artifact:version
  Scenario: version of <instance> for <team>
    Given each "nginx" instance
    And each team responsible for it
    When the team connects
    Then the version can be retrieved
    And the version is the expected one

  @artifact:configuration
  Scenario: configuration of <instance> for <team>
    Given each "nginx" instance
    And each team responsible for it
    When the team connects
    Then the configuration can be retrieved
    And the configuration is well-formed
    And the configuration is complete with everything it includes
    And the configuration keeps the evidence that support will ask for

  @artifact:log
  Scenario: event log of <instance> for <team>
    Given each "nginx" instance
    And each team responsible for it
    When the team connects
    Then artifact "access log" can be retrieved
    And artifact "access log" has an entry from the last 24 hours
    And artifact "access log" has no entry from the future
    And artifact "access log" is kept for at least 7 days

  @artifact:statistics
  Scenario: statistics of <instance> for <team>
    Given each "nginx" instance
    And each team responsible for it
    When the team connects
    Then artifact "statistics" can be retrieved
    And every artifact was retrieved within 5 minutes
