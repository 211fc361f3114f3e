Feature: The host under each product is known

  A support request names the operating system, its kernel, the limits that the product runs under, memory and
  disks. A full disk ends logs and statistics before anybody opens a case, and a fresh core dump is a crash that
  nobody has looked at.

  Rule: what the request must say is within reach

    @host
    Scenario: What runs under <instance> on <host> is known to <team>
      Given each instance
      And each team responsible for it
      When the team connects
      Then the operating system, kernel, limits and disk space of the host are known

  Rule: there is room for evidence

    @host @artifact:log
    Scenario: The event log of <instance> has room to grow
      Given each instance
      When the team connects
      Then the file system of the event log has at least 5 % free

  # For a product whose inventory has an artifact such as
  #   minidumps: {kind: other, path: /var/crash/*.dmp, listing: true}
  # add:
  #   Then artifact "minidumps" can be listed
  #   And artifact "minidumps" lists no file newer than 7 days
