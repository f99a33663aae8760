using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class AccountTests
{
    private static readonly string[] Passwd = ["root:x:0:0:root:/root:/bin/bash", "ada:x:1815:1815:Ada:/home/ada:/bin/sh"];

    [Test]
    public async Task The_environment_is_believed_and_nobody_else_is_asked()
    {
        Account account = Find(1815, new() { ["HOME"] = "/scratch/ada", ["USER"] = "lovelace" }, Unread(), _ => throw new InvalidOperationException());

        await Assert.That(account).IsEqualTo(new Account(1815, "lovelace", "/scratch/ada"));
    }

    [Test]
    public async Task What_the_environment_leaves_out_comes_from_passwd()
    {
        await Assert.That(Find(1815, new() { ["HOME"] = "/scratch/ada" }, Passwd, _ => throw new InvalidOperationException()))
            .IsEqualTo(new Account(1815, "ada", "/scratch/ada"));
        await Assert.That(Find(1815, new() { ["LOGNAME"] = "lovelace" }, Passwd, _ => throw new InvalidOperationException()))
            .IsEqualTo(new Account(1815, "lovelace", "/home/ada"));
    }

    [Test]
    public async Task A_user_of_a_directory_server_is_found_by_asking_the_host()
    {
        Account account = Find(7, [], Passwd, id => $"grace:*:{id}:7:Grace Hopper:/home/grace:/bin/sh\n");

        await Assert.That(account).IsEqualTo(new Account(7, "grace", "/home/grace"));
    }

    [Test]
    [Arguments("")]
    [Arguments("nonsense")]
    [Arguments("root:x:0:0:root:/root:/bin/bash")]
    public async Task A_user_that_nobody_knows_has_a_number_and_no_home(string answer)
    {
        await Assert.That(Find(7, new() { ["HOME"] = "" }, Passwd, _ => answer)).IsEqualTo(new Account(7, "7", null));
    }

    [Test]
    public async Task A_home_that_is_declared_nonexistent_is_none()
    {
        await Assert.That(Find(7, new() { ["HOME"] = "/nonexistent", ["USER"] = "nobody" }, Passwd, _ => "").Home).IsNull();
        await Assert.That(Find(8, [], ["nobody:x:8:8::/nonexistent:/bin/false"], _ => "").Home).IsNull();
    }

    [Test]
    public async Task The_user_of_this_process_is_found()
    {
        await Assert.That(Account.Find().Name).IsNotEmpty();
    }

    private static Account Find(uint id, Dictionary<string, string> variables, IEnumerable<string> passwd, Func<uint, string> askHost) =>
        Account.Find(variables.GetValueOrDefault, id, passwd, askHost);

    private static IEnumerable<string> Unread() =>
        Passwd.Select(string (_) => throw new InvalidOperationException("passwd was read"));
}
