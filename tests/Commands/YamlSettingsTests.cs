using Pelican.Commands;
using Pelican.Transfer;

namespace Pelican.Tests.Commands;

public sealed class YamlSettingsTests
{
    [Test]
    public async Task Maps_become_dotted_names_with_their_lines()
    {
        IReadOnlyCollection<SettingValue> values = YamlSettings.Parse("f", "A:\n  B: 1\n  C:\n    D: [x, 'y z']\nE.F: ~\nG: \"\"\n");

        await Assert.That(values.Select(value => $"{value.Name}={string.Join('|', value.Items)}@{value.Where}"))
            .IsEquivalentTo(["A.B=1@f:2", "A.C.D=x|y z@f:4", "G=@f:6"]);
    }

    [Test]
    [Arguments("")]
    [Arguments("# only a comment\n")]
    [Arguments("---\n")]
    [Arguments("---\n...\n")]
    public async Task An_empty_file_says_nothing(string text)
    {
        await Assert.That(YamlSettings.Parse("f", text)).IsEmpty();
    }

    [Test]
    public async Task Aliases_stand_for_what_they_name()
    {
        IReadOnlyCollection<SettingValue> values = YamlSettings.Parse("f", "A: &a {X: 1}\nB: *a\nC: &c word\nD: [*c]\n");

        await Assert.That(values.Select(value => value.Name + "=" + value.Items[0])).IsEquivalentTo(["A.X=1", "B.X=1", "C=word", "D=word"]);
    }

    [Test]
    [Arguments("A: 1\na: 2\n", "f:2: a is given twice; the first time at f:1")]
    [Arguments("A: {B: 1}\nA.B: 2\n", "f:2: A.B is given twice; the first time at f:1")]
    [Arguments("- a\n", "f:1: a configuration file is a map of names to values")]
    [Arguments("word", "f:1: a configuration file is a map of names to values")]
    [Arguments("A: *b\n", "f:1: nothing is called '&b'")]
    [Arguments("? [a, b]\n: 1\n", "f:1: the name of a setting must be plain text")]
    public async Task What_makes_no_sense_is_told_with_its_line(string text, string message)
    {
        PelicanException error = Assert.Throws<PelicanException>(() => YamlSettings.Parse("f", text));

        await Assert.That(error.Message).IsEqualTo(message);
        await Assert.That(error.Row).IsEqualTo(Errors.Configuration);
    }

    [Test]
    [Arguments("A: 1\n\tB: 2\n", "f:2: this is not YAML")]
    [Arguments("A: [1, 2\nB: 3\n", "f:1: this is not YAML: a bracket is not closed")]
    [Arguments("A: \"open\n", "f:2: this is not YAML")]
    public async Task What_is_not_YAML_is_told_with_its_line(string text, string message)
    {
        PelicanException error = Assert.Throws<PelicanException>(() => YamlSettings.Parse("f", text));

        await Assert.That(error.Message).Contains(message);
        await Assert.That(error.ExitStatus).IsEqualTo(4);
    }

    [Test]
    public async Task A_bomb_of_aliases_goes_off_harmlessly()
    {
        string text = "a0: &a0 {x: 1}\n" + string.Concat(Enumerable.Range(1, 20)
            .Select(i => $"a{i}: &a{i} {{l: *a{i - 1}, r: *a{i - 1}}}\n"));

        PelicanException error = Assert.Throws<PelicanException>(() => YamlSettings.Parse("f", text));

        await Assert.That(error.Message).Contains("repeated too often");
    }

    [Test]
    public async Task An_alias_of_itself_does_not_hang()
    {
        await Assert.That(() => YamlSettings.Parse("f", "A: &a {B: *a}\n")).Throws<PelicanException>();
    }
}
