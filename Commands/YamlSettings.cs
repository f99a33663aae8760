using Pelican.Transfer;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Pelican.Commands;

/// <summary>
/// Settings from a YAML file: nested maps become dotted names. Events of the parser are read directly, without
/// reflection, so that each value keeps its line.
/// </summary>
internal sealed class YamlSettings
{
    private const int MaxDepth = 32;

    // Aliases can be nested so that a page of text means gigabytes.
    private const int MaxValues = 100_000;

    private readonly string _path;
    private readonly List<ParsingEvent> _events = [];
    private readonly Dictionary<AnchorName, int> _anchors = [];
    private readonly Dictionary<string, SettingValue> _values = new(StringComparer.OrdinalIgnoreCase);
    private int _visited;

    private YamlSettings(string path) => _path = path;

    /// <summary>Reads the settings of one file.</summary>
    /// <param name="path">Its path, for messages.</param>
    /// <param name="text">Its content.</param>
    /// <exception cref="PelicanException"><see cref="Errors.Configuration"/>, with file and line.</exception>
    public static IReadOnlyCollection<SettingValue> Parse(string path, string text)
    {
        YamlSettings settings = new(path);
        settings.Scan(new Parser(new StringReader(text)));
        settings.Load();
        return settings._values.Values;
    }

    private void Scan(Parser parser)
    {
        try
        {
            while (parser.MoveNext())
            {
                if (parser.Current is NodeEvent { Anchor.IsEmpty: false } node)
                {
                    _anchors[node.Anchor] = _events.Count;
                }

                _events.Add(parser.Current!);
            }
        }
        catch (Exception e) when (e is YamlException or InvalidOperationException)
        {
            // The parser throws the latter where a list is not closed.
            (long line, string why) = e is YamlException yaml
                ? (yaml.End.Line, yaml.Message)
                : (_events[^1].End.Line, "a bracket is not closed");
            throw new PelicanException(Errors.Configuration, $"{_path}:{line}: this is not YAML: {why}",
                "Indent with blanks, never with tabs, and write 'Name: value'.", e);
        }
    }

    private void Load()
    {
        int root = _events.FindIndex(e => e is NodeEvent);
        switch (root < 0 ? null : _events[root])
        {
            case null or Scalar { Value: "" }:
                break; // an empty file, or comments only
            case MappingStart:
                ReadMap(root, "", 0);
                break;
            case { } other:
                throw Bad(other, "a configuration file is a map of names to values");
        }
    }

    /// <returns>Index of the event after the node.</returns>
    private int ReadValue(int index, string name, int depth)
    {
        if (depth > MaxDepth || ++_visited > MaxValues)
        {
            throw Bad(_events[index], $"{name} is nested too deeply or repeated too often");
        }

        switch (_events[index])
        {
            case MappingStart:
                return ReadMap(index, name + ".", depth);
            case SequenceStart:
                return ReadList(index, name);
            case AnchorAlias alias:
                ReadValue(Target(alias), name, depth + 1);
                return index + 1;
            case Scalar scalar:
                if (!IsNull(scalar))
                {
                    Add(scalar, name, [scalar.Value]);
                }

                return index + 1;
            default:
                throw Bad(_events[index], $"{name} has no value");
        }
    }

    private int ReadMap(int index, string prefix, int depth)
    {
        for (index++; _events[index] is not MappingEnd;)
        {
            if (_events[index] is not Scalar key)
            {
                throw Bad(_events[index], "the name of a setting must be plain text");
            }

            index = ReadValue(index + 1, prefix + key.Value, depth + 1);
        }

        return index + 1;
    }

    // Only servers have lists of anything but texts: such items have no meaning here.
    private int ReadList(int index, string name)
    {
        ParsingEvent start = _events[index];
        List<string> items = [];
        int depth = 0;
        do
        {
            depth += _events[index].NestingIncrease;
            if (depth == 1 && _events[index] is Scalar scalar)
            {
                items.Add(scalar.Value);
            }
            else if (depth == 1 && _events[index] is AnchorAlias alias && _events[Target(alias)] is Scalar target)
            {
                items.Add(target.Value);
            }

            index++;
        }
        while (depth > 0);

        Add(start, name, items);
        return index;
    }

    private void Add(ParsingEvent at, string name, IReadOnlyList<string> items)
    {
        SettingValue value = new(name, items, $"{_path}:{at.Start.Line}");
        if (!_values.TryAdd(name, value))
        {
            throw Bad(at, $"{name} is given twice; the first time at {_values[name].Where}");
        }
    }

    private int Target(AnchorAlias alias) =>
        _anchors.TryGetValue(alias.Value, out int target) ? target : throw Bad(alias, $"nothing is called '&{alias.Value}'");

    private static bool IsNull(Scalar scalar) => scalar.Style == ScalarStyle.Plain && scalar.Value is "" or "~" or "null" or "Null" or "NULL";

    private PelicanException Bad(ParsingEvent at, string message) =>
        new(Errors.Configuration, $"{_path}:{at.Start.Line}: {message}");
}
