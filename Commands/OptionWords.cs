using System.CommandLine;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>
/// The options among the words of a command line, and their values, as getopt_long finds them. What System.CommandLine makes of some
/// words is not what was written: <c>--token=</c> takes the next word for its value, <c>--json=true</c> makes an argument of <c>true</c>.
/// </summary>
/// <param name="options">The options that there are.</param>
/// <param name="hint">Where to read on.</param>
internal sealed class OptionWords(IReadOnlyList<Option> options, string hint)
{
    private static readonly char[] Separators = ['=', ':'];

    private Option? _waiting;

    /// <summary>Refuses an empty value, one that a switch has, and switches written in one word of which some are none.</summary>
    /// <param name="args">Words of the command line.</param>
    /// <returns>A word that looks like an option and is none; null when there is none.</returns>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>, naming the option.</exception>
    public string? Check(IReadOnlyList<string> args)
    {
        foreach (string word in args.TakeWhile(word => word != "--"))
        {
            if (_waiting is { } option)
            {
                Take(option, word);
            }
            else if (word is ['-', '-', _, ..])
            {
                Long(word);
            }
            else if (word is ['-', not '-', ..] && !Short(word))
            {
                return word;
            }
        }

        return null;
    }

    private void Long(string word)
    {
        int end = word.IndexOfAny(Separators);
        if (Find(end < 0 ? word : word[..end]) is not { } option)
        {
            return;
        }

        if (end >= 0)
        {
            Take(option, word[(end + 1)..]);
        }
        else if (TakesValue(option))
        {
            _waiting = option;
        }
    }

    // The rest of a word that begins with switches and goes on with something else would be taken for an argument.
    private bool Short(string word)
    {
        Option? last = null;
        for (int i = 1; i < word.Length; i++)
        {
            if (last is not null && Separators.Contains(word[i]))
            {
                Take(last, word[(i + 1)..]);
                return true;
            }

            if (Find("-" + word[i]) is not { } option)
            {
                return i == 1;
            }

            last = option;
            if (TakesValue(option))
            {
                string rest = word[(i + 1)..];
                if (rest.Length == 0)
                {
                    _waiting = option;
                }
                else
                {
                    Take(option, Separators.Contains(rest[0]) ? rest[1..] : rest);
                }

                return true;
            }
        }

        return true;
    }

    private void Take(Option option, string value)
    {
        _waiting = null;
        if (!TakesValue(option))
        {
            throw new PelicanException(Errors.Parameter, $"{option.Name} takes no value, and '{value}' is given", $"Write {option.Name}, or leave it out. {hint}");
        }

        if (value.Length == 0)
        {
            throw new PelicanException(Errors.Parameter, $"the value of {option.Name} is empty", $"Give it one, or leave the option out. {hint}");
        }
    }

    private Option? Find(string name) => options.FirstOrDefault(option => option.Name == name || option.Aliases.Contains(name));

    private static bool TakesValue(Option option) => option.Arity.MaximumNumberOfValues > 0;
}
