using System.Collections;

namespace Pelican.Federation;

/// <summary>Header lines in their order and spelling.</summary>
/// <param name="names">How names are compared: XRootD 5.5 compares them by exact case (xrootd.md 2.3).</param>
public sealed class HeaderList(StringComparer names) : IEnumerable<KeyValuePair<string, string>>
{
    private readonly List<KeyValuePair<string, string>> _lines = [];

    public HeaderList() : this(StringComparer.OrdinalIgnoreCase)
    {
    }

    /// <summary>All values of a name joined by commas; null when there is none. Setting replaces them; null removes them.</summary>
    public string? this[string name]
    {
        get
        {
            string[] values = [.. All(name)];
            return values.Length == 0 ? null : string.Join(", ", values);
        }

        set
        {
            _lines.RemoveAll(line => names.Equals(line.Key, name));
            if (value is not null)
            {
                Add(name, value);
            }
        }
    }

    /// <summary>Adds a line, beside others of the same name.</summary>
    public void Add(string name, string value) => _lines.Add(new(name, value));

    /// <summary>The values of a name, one for each line.</summary>
    public IEnumerable<string> All(string name) =>
        _lines.Where(line => names.Equals(line.Key, name)).Select(line => line.Value);

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => _lines.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
