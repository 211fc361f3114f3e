Feature: What a cloud vendor tells over the network

  These checks ask the vendor's own pages, DNS and servers: `gonogo plan` prints each question before. What came
  is recorded, and `verify` judges it again without asking. Copy this file and name your vendor.

  Rule: nobody goes live into somebody else's outage

    @vendor @online @outages
    Scenario: The status pages of <vendor> are well, and nothing is planned at go-live
      Given the "echo" vendor
      Then no incident is open at the vendor's status pages

    @vendor @online @outages
    Scenario: What <vendor> announces is read
      Given the "echo" vendor
      Then the outage log of the vendor can be read
      And every announcement was read within 7 days

  Rule: the service answers, from here and from production

    @vendor @online @monitoring
    Scenario: The service of <vendor> answers the runner
      Given the "echo" vendor
      Then every monitoring URL answers within 5 seconds
      And every certificate behind the monitoring URLs holds for 14 days more

    @vendor @online @monitoring
    Scenario: The service of <vendor> answers <host>
      Given the "echo" vendor
      And each host that it is monitored from
      And the "operations" team
      When the team connects
      Then every monitoring URL answers the host within 5 seconds

  Rule: what support is sent arrives

    @vendor @online @intake
    Scenario: Mail to <vendor> and to us has a way
      Given the "echo" vendor
      Then every e-mail address is of a domain that takes mail

    @vendor @online @intake
    Scenario: Evidence can be handed over to <vendor>
      Given the "echo" vendor
      Then every intake of the vendor can be reached
      And the process test of the last 92 days was acknowledged in time
