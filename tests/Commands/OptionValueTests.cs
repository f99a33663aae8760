using System.CommandLine;
using Pelican.Commands;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Commands;

/// <summary>One rule for the values of options, of every option of every command.</summary>
public sealed class OptionValueTests
{
    [Test]
    public async Task An_empty_value_is_refused_with_the_name_of_its_option_and_takes_no_other_word_along()
    {
        using TestShell shell = new();
        shell.Write("source", "data");
        List<string> wrong = [];

        foreach ((string[] path, Option option) in Options().Where(pair => pair.Option.Arity.MaximumNumberOfValues > 0))
        {
            foreach (string name in option.Aliases.Append(option.Name))
            {
                foreach (string[] words in new string[][] { [$"{name}="], [$"{name}:"], [name, ""] })
                {
                    ShellResult result = await shell.RunAsync([.. path, .. words, "source", "osdf:///a/b"]);
                    if (result.Status != 4 || !result.Error.StartsWith($"Error: the value of {option.Name} is empty\n", StringComparison.Ordinal))
                    {
                        wrong.Add($"{string.Join(' ', path)} {words[0]}: {result}");
                    }
                }
            }
        }

        await Assert.That(wrong).IsEmpty();
        await Assert.That(Directory.GetFiles(shell.Folder)).IsEquivalentTo([shell.File("source")]);
        await Assert.That(await File.ReadAllTextAsync(shell.File("source"))).IsEqualTo("data");
    }

    [Test]
    public async Task A_switch_takes_no_value()
    {
        using TestShell shell = new();
        List<string> wrong = [];

        foreach ((string[] path, Option option) in Options().Where(pair => pair.Option is Option<bool> { Arity.MaximumNumberOfValues: 0 } && pair.Option.Name != "--version"))
        {
            foreach (string value in new[] { "true", "" })
            {
                ShellResult result = await shell.RunAsync([.. path, $"{option.Name}={value}", "a", "osdf:///a/b"]);
                if (result.Status != 4 || !result.Error.StartsWith($"Error: {option.Name} takes no value, and '{value}' is given\n", StringComparison.Ordinal))
                {
                    wrong.Add($"{string.Join(' ', path)} {option.Name}: {result}");
                }
            }
        }

        await Assert.That(wrong).IsEmpty();
    }

    [Test]
    [Arguments("-rt=")]
    [Arguments("-t", "")]
    public async Task Among_switches_in_one_word_it_is_the_same(params string[] words)
    {
        using TestShell shell = new();

        ShellResult result = await shell.RunAsync(["object", "get", .. words, "osdf:///a/b", "."]);

        await Assert.That(result.Status).IsEqualTo(4);
        await Assert.That(result.Error).StartsWith("Error: the value of --token is empty\n");
    }

    [Test]
    [Arguments("--transfer-stats=x", "the statistics file")]
    [Arguments("--transfer-stats=./x", "the statistics file")]
    [Arguments("--transfer-stats=link", "the statistics file")]
    [Arguments("--transfer-stats=hard", "the statistics file")]
    [Arguments("--log=x", "the log file")]
    [Arguments("-Llink", "the log file")]
    public async Task An_output_file_that_is_a_source_is_refused(string option, string what)
    {
        using TestShell shell = new();
        shell.Write("x", "data");
        File.CreateSymbolicLink(shell.File("link"), "x");
        await PublishedExecutable.RunAsync("ln", [shell.File("x"), shell.File("hard")]);

        ShellResult put = await shell.RunAsync("object", "put", option, "x", "osdf:///a/");
        ShellResult token = await shell.RunAsync("object", "put", option, "-t", "x", "hard", "osdf:///a/");

        await Assert.That((put.Status, token.Status)).IsEqualTo((4, 4));
        await Assert.That(put.Error).StartsWith($"Error: {what} '").And.Contains("that this command reads or transfers\n");
        await Assert.That(await File.ReadAllTextAsync(shell.File("x"))).IsEqualTo("data");
    }

    [Test]
    [Arguments("object", "put", "-r", "--transfer-stats=tree/stats", "tree", "osdf:///a/b")]
    [Arguments("object", "put", "-r", "--log=tree/log", "tree", "osdf:///a/b")]
    [Arguments("object", "copy", "-r", "--log=tree/log", "tree", "osdf:///a/b")]
    [Arguments("object", "get", "--transfer-stats=tree/b", "osdf:///a/b", "tree")]
    [Arguments("object", "get", "--transfer-stats=b", "osdf:///a/b", "b")]
    [Arguments("object", "get", "--log=b", "osdf:///a/b", "./b")]
    [Arguments("object", "get", "--transfer-stats=token", "-t", "token", "osdf:///a/b", "b")]
    public async Task So_is_one_in_a_tree_that_is_uploaded_and_one_that_a_download_replaces(params string[] arguments)
    {
        using TestShell shell = new();
        shell.Write("tree/a", "data");
        shell.Write("token", "secret");

        ShellResult result = await shell.RunAsync(arguments);

        await Assert.That(result.Status).IsEqualTo(4);
        await Assert.That(result.Error).StartsWith("Error: the ");
        await Assert.That(await File.ReadAllTextAsync(shell.File("token"))).IsEqualTo("secret");
    }

    private static List<(string[] Path, Option Option)> Options()
    {
        using TestShell shell = new();
        Surroundings world = shell.World(Stream.Null, Stream.Null);
        GlobalOptions globals = new();
        ConsoleMessages messages = new(Stream.Null, new Redactor());
        List<(string[], Option)> options = [];
        Add(Cli.Root(new CommandHost(world, globals, messages, new Redactor(), shell.Interruption), globals, world), []);
        return options;

        void Add(Command command, string[] path)
        {
            options.AddRange(command.Options.Where(option => !option.Hidden).Select(option => (path.Length == 0 ? ["object", "put"] : path, option)));
            foreach (Command verb in command.Subcommands)
            {
                Add(verb, [.. path, verb.Name]);
            }
        }
    }
}
