Feature: Logs that support can use

  A log that came back is not yet one that support can work with. It must reach back to the incident,
  without a hole where a rotation was lost; its times must be those of the world; it must hold the
  levels that support looks for, and be of the instance that it is told for. And it must still be there
  when somebody asks for it next week.

  What a scenario needs beside the log itself: `levels:` below `entry:` where the format is not one that
  gonogo knows, `names:` and `expect: {name: …}` for the name of the instance, `retention:` for what
  rotates and removes the log.

  Rule: the log tells the last day as it was

    @artifact:log
    Scenario: The log of <instance> goes back a day without a hole, for <team>
      Given each instance
      And each team responsible for it
      When the team connects
      Then the event log can be retrieved
      And the event log has an entry from the last 1 hour
      And the event log covers the last 24 hours
      And the event log has no gap of more than 6 hours in the last 24 hours
      And the event log has no entry from the future

  Rule: it holds what support looks for

    @artifact:log
    Scenario: Warnings of <instance> reach its log, for <team>
      Given each instance
      And each team responsible for it
      When the team connects
      Then the event log has at least 100 entries
      And an entry of level "warning" or worse can be found in the event log

  Rule: it is the instance's own, and stays long enough

    @artifact:log @log:retention
    Scenario: The log of <instance> is kept for a week, for <team>
      Given each instance
      And each team responsible for it
      When the team connects
      Then the event log is kept for at least 7 days

    # For a log that names its instance (`names:` in the inventory), a link to a neighbour's log shows:
    # @artifact:log @log:name
    # Scenario: The log of <instance> is its own, for <team>
    #   Given each instance
    #   And each team responsible for it
    #   When the team connects
    #   Then the event log belongs to this instance
