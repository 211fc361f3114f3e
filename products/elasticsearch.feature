Feature: Support artifacts of Elasticsearch

  The account may read configuration and logs, and the node answers it on the host. Nothing of this was
  tried on a real node here: see `gonogo profiles show elasticsearch` for where each fact comes from.

  @artifact:version
  Scenario: version of <instance> for <team>
    Given each "elasticsearch" instance
    And each team responsible for it
    When the team connects
    Then the version can be retrieved
    And the version is the expected one

  @artifact:configuration
  Scenario: configuration of <instance> for <team>
    Given each "elasticsearch" instance
    And each team responsible for it
    When the team connects
    Then the configuration can be retrieved
    And the configuration is well-formed

  @artifact:log
  Scenario: event log of <instance> for <team>
    Given each "elasticsearch" instance
    And each team responsible for it
    When the team connects
    Then the event log can be retrieved
    And the event log has an entry from the last 24 hours

  @artifact:statistics
  Scenario: statistics of <instance> for <team>
    Given each "elasticsearch" instance
    And each team responsible for it
    When the team connects
    Then artifact "statistics" can be retrieved
    And every artifact was retrieved within 5 minutes
