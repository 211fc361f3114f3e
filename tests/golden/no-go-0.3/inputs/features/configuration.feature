Feature: The configuration, whole and fit for support

  A vendor's support reads the configuration before anything else. Half of it, another instance's, the
  sample that the product ships, or one that the running product has never read sends everybody the wrong
  way; and some settings see to it that there will be nothing else to read.

  Rule: what support would get is the whole configuration

    @artifact:configuration
    Scenario: The configuration of <instance> reaches <team> with everything it includes
      Given each instance
      And each team responsible for it
      When the team connects
      Then the configuration can be retrieved
      And the configuration is well-formed
      And the configuration is complete with everything it includes

  Rule: it keeps what support will ask for next

    # What each product must not do is written in its profile (`findings:`).
    @artifact:configuration
    Scenario: The configuration of <instance> destroys no evidence
      Given each "amps" instance
      When the team connects
      Then the configuration belongs to this instance
      And the configuration keeps the evidence that support will ask for

  # With `shipped:` and `running:` in the inventory two steps more say something:
  #   Then the configuration is not the shipped sample
  #   Then the configuration is the one that is running
