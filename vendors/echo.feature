Feature: The support process for a cloud vendor

  A service that somebody else runs changes while you sleep: in release windows, with announcements that need
  something of you, and with outages of which only its channels tell. Copy this file and name your vendor.

  Rule: go-live and the vendor's own changes keep apart

    @vendor @releases
    Scenario: Nobody goes live while <vendor> changes its service
      Given the "echo" vendor
      Then go-live lies outside the release windows
      And no required action is overdue at go-live

    @vendor @releases
    Scenario: Every team hears of releases and outages of <vendor>
      Given the "echo" vendor
      Then every team is subscribed to every channel, proven within the last 92 days

  Rule: somebody always answers

    @vendor @contract
    Scenario: The contract with <vendor> is at hand and does not run out
      Given the "echo" vendor
      Then the support entitlement is named
      And the support contract does not end within 30 days

    @vendor @coverage
    Scenario: What <vendor> does not cover has a plan and an owner
      Given the "echo" vendor
      Then every gap in coverage has a plan whose owner was proven within the last 92 days

    @vendor @escalation
    Scenario: Everybody at <vendor> can be reached
      Given the "echo" vendor
      Then the primary and the backup contact differ
      And every phone number fits its country's numbering plan
      And every escalation level was proven within the last 92 days
      And every escalation level has its hours and a response goal

    @vendor @drill
    Scenario: The support process of <vendor> was rehearsed
      Given the "echo" vendor
      Then the drill is not overdue
