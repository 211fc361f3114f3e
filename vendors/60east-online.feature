Feature: What 60East is handed over the network

  These checks ask DNS and the intake itself, and send nothing: `gonogo plan` prints each question before. What came is
  recorded, and `verify` judges it again without asking.

  Rule: what support is sent arrives

    @vendor @online @intake
    Scenario: Evidence can be handed over to <vendor>
      Given the "60east" vendor
      Then every intake of the vendor can be reached

    @vendor @online @intake
    Scenario: Mail to <vendor> and to us has a way
      Given the "60east" vendor
      Then every e-mail address is of a domain that takes mail
