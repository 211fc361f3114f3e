Feature: The practice estate
  What a newcomer sees with `gonogo demo`: a fleet that is ready, and the same fleet with one thing
  wrong. Every fault must be told as what it is, and nothing that is well may suffer from it.

  Scenario: A healthy estate is GO, and anybody can prove it
    Given the practice estate
    When I run the demo
    Then the exit code is 0
    And the verdict is "GO"
    And every planned check passed with evidence
    And sha256sum agrees with every digest of the run
    And ssh-keygen finds the signature good
    And gonogo verify ends with 0

  Scenario Outline: The fault <fault> is NO-GO because of <kind>
    Given the practice estate with fault "<fault>"
    When I run the demo
    Then the exit code is 1
    And the verdict is "NO-GO"
    And only failures of kind "<kind>" are told, and other checks pass
    And ssh-keygen finds the signature good
    And gonogo verify ends with 1

    Examples: reaching and entering
      | fault         | kind        |
      | unreachable   | unreachable |
      | silent        | unreachable |
      | host-key      | host-key    |
      | auth          | auth        |
      | shell         | shell       |
      | wrong-machine | mismatch    |
      | clock         | mismatch    |

    Examples: retrieving
      | fault            | kind        |
      | missing          | missing     |
      | denied           | denied      |
      | denied-directory | denied      |
      | wal-unreadable   | denied      |
      | not-regular      | not-regular |
      | empty            | empty       |
      | short            | short       |
      | too-large        | too-large   |
      | hang             | timeout     |

    Examples: what was retrieved
      | fault              | kind     |
      | corrupt-config     | corrupt  |
      | corrupt-gzip       | corrupt  |
      | corrupt-statistics | corrupt  |
      | stale-log          | stale    |
      | stale-statistics   | stale    |
      | gap                | gap      |
      | wrong-version      | mismatch |
      | wrong-instance     | mismatch |

    Examples: what vendors say and do
      | fault                | kind        |
      | incident             | mismatch    |
      | maintenance          | mismatch    |
      | unknown-word         | undefined   |
      | stale-status-page    | stale       |
      | dead-feed            | missing     |
      | unread-announcements | stale       |
      | certificate          | stale       |
      | slow-service         | timeout     |
      | stale-service        | stale       |
      | cut-off              | unreachable |
      | no-mail              | denied      |
      | intake-login         | auth        |
      | intake-host-key      | host-key    |
      | intake-mail          | denied      |
      | contract-ended       | gap         |
      | coverage-gap         | gap         |
      | drill-overdue        | stale       |

  Scenario: One machine that is counted as two hosts is NO-GO
    Given the practice estate with fault "same-machine"
    When I run the demo
    Then the exit code is 1
    And the verdict is "NO-GO"
    And a reason names "ny4-1" and "ny4-2"
    And gonogo verify ends with 1

  Scenario: Every fault that can be planted is tested here
    When I ask which faults can be planted
    Then the exit code is 0
    And each of them has its row in these features

  Scenario: A fault that does not exist is refused
    Given the practice estate with fault "earthquake"
    When I run the demo
    Then the exit code is 2

  Scenario: A report that was edited is not acceptable
    Given the practice estate with fault "empty"
    When I run the demo
    Then the exit code is 1
    When I edit the verdict of the report
    Then gonogo verify ends with 4
