Feature: Support artifacts of HAProxy

  The account is in group adm, for the file that syslog writes, and has a statistics socket of its own
  with `level user`: that of Debian lets whoever may ask it take servers out of service.

  @artifact:version
  Scenario: version of <instance> for <team>
    Given each "haproxy" instance
    And each team responsible for it
    When the team connects
    Then the version can be retrieved
    And the version is the expected one

  @artifact:version
  Scenario: running version of <instance> for <team>
    Given each "haproxy" instance
    And each team responsible for it
    When the team connects
    Then the version can be retrieved
    And artifact "running version" can be retrieved
    And artifact "running version" is the same version as the version

  @artifact:configuration
  Scenario: configuration of <instance> for <team>
    Given each "haproxy" instance
    And each team responsible for it
    When the team connects
    Then the configuration can be retrieved
    And the configuration is well-formed
    And the configuration is complete with everything it includes
    And the configuration keeps the evidence that support will ask for

  @artifact:log
  Scenario: event log of <instance> for <team>
    Given each "haproxy" instance
    And each team responsible for it
    When the team connects
    Then the event log can be retrieved
    And the event log has an entry from the last 24 hours
    And the event log has no entry from the future
    And the event log is kept for at least 7 days

  @artifact:statistics
  Scenario: statistics of <instance> for <team>
    Given each "haproxy" instance
    And each team responsible for it
    When the team connects
    Then artifact "statistics" can be retrieved
    And every artifact was retrieved within 5 minutes
