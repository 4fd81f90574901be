"""Two pictures, one network: do they show the same digit?"""

import tinygrad_lite as torch
import tinygrad_lite.nn as nn
import tinygrad_lite.optim as optim
from tinygrad_lite.utils.data import DataLoader, Dataset


class SiameseNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(inplace=True), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1, bias=False), nn.BatchNorm2d(24), nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(2),
        )  # fmt: skip
        self.fc = nn.Sequential(nn.Linear(192, 64), nn.ReLU(inplace=True), nn.Linear(64, 1))
        self.sigmoid = nn.Sigmoid()
        self.features.apply(self.init_weights)
        self.fc.apply(self.init_weights)

    def init_weights(self, m):
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            m.bias.data.fill_(0.01)

    def forward_once(self, x):
        output = self.features(x)
        return output.view(output.size()[0], -1)

    def forward(self, input1, input2):
        output1 = self.forward_once(input1)
        output2 = self.forward_once(input2)
        output = torch.cat((torch.abs(output1 - output2), output1 * output2), 1)
        output = self.fc(output)
        return self.sigmoid(output)


class Matcher(Dataset):
    def __init__(self, images, labels, count):
        super().__init__()
        self.images, self.labels, self.count = images, labels, count
        self.groups = [[i for i, k in enumerate(labels.tolist()) if k == digit] for digit in range(10)]

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        group = self.groups[int(torch.randint(0, 10, (1,)).item())]
        first = group[int(torch.randint(0, len(group), (1,)).item())]
        if index % 2 == 0:
            second = group[int(torch.randint(0, len(group), (1,)).item())]
        else:
            second = int(torch.randint(0, len(self.labels), (1,)).item())
        same = float(self.labels[first].item() == self.labels[second].item())
        return self.images[first], self.images[second], torch.tensor(same, dtype=torch.float)


def main(images, labels):
    torch.manual_seed(3)
    x = torch.tensor(images, dtype=torch.float32)
    y = torch.tensor(labels)
    loader = DataLoader(Matcher(x[:1400], y[:1400], 1200), batch_size=60, shuffle=True)
    test_loader = DataLoader(Matcher(x[1400:], y[1400:], 400), batch_size=100)
    model = SiameseNetwork()
    criterion = nn.BCELoss()
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    accuracy = []
    for _ in range(5):
        model.train()
        for images_1, images_2, targets in loader:
            optimizer.zero_grad()
            outputs = model(images_1, images_2).squeeze()
            loss = criterion(outputs, targets)
            loss.backward()
            optimizer.step()
        model.eval()
        correct = 0
        with torch.no_grad():
            for images_1, images_2, targets in test_loader:
                outputs = model(images_1, images_2).squeeze()
                pred = torch.where(outputs > 0.5, 1, 0)
                correct += pred.eq(targets.view_as(pred)).sum().item()
        accuracy.append(correct / len(test_loader.dataset))
    return accuracy
