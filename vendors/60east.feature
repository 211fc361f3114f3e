Feature: The support process for 60East

  Whoever calls support at night must know whom, under which contract, and what happens while nobody answers.
  These checks contact nobody: they judge what the inventory says of the vendor, by the day of the run and the
  time of `--go-live`. What people have proven (a number that answered, a message that arrived) counts only for a
  while.

  Rule: support knows us, and goes on doing so

    @vendor @contract
    Scenario: The contract with <vendor> is at hand and does not run out
      Given the "60east" vendor
      Then the support entitlement is named
      And the support contract does not end within 30 days
      And the support contract does not end before the next drill

  Rule: somebody always answers

    @vendor @coverage
    Scenario: What <vendor> does not cover has a plan and an owner
      Given the "60east" vendor
      Then every gap in coverage has a plan whose owner was proven within the last 92 days

    @vendor @contacts
    Scenario: Two people talk to <vendor>
      Given the "60east" vendor
      Then the primary and the backup contact differ
      And every phone number fits its country's numbering plan

    @vendor @escalation
    Scenario: Every level of escalation at <vendor> was tried
      Given the "60east" vendor
      Then every escalation level was proven within the last 92 days
      And every escalation level has its hours and a response goal

    @vendor @drill
    Scenario: The support process of <vendor> was rehearsed
      Given the "60east" vendor
      Then the drill is not overdue
      And the process test of the last 92 days was acknowledged in time

  Rule: support has nothing to ask back

    @vendor @request
    Scenario: A request to <vendor> can be filled in to its last field
      Given the "60east" vendor
      Then no field of the request is left blank

  Rule: releases do not surprise us

    @vendor @releases
    Scenario: What releases of <vendor> need is done
      Given the "60east" vendor
      Then every team is subscribed to every channel, proven within the last 92 days
      And no required action is overdue
